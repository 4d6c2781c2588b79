"""The peak of what a call allocates."""

from jacchain.measuring.memory import allocated_bytes


def test_the_peak_counts_what_is_freed_again_but_no_first_call():
    memo = []

    def function():
        if not memo:
            memo.append(bytes(10**6))
        bytes(2 * 10**5)
        return bytes(10**5)

    assert 2 * 10**5 <= allocated_bytes(function) < 3 * 10**5
