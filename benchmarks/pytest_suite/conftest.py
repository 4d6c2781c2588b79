"""Results without the name of the host."""


def pytest_benchmark_update_machine_info(config, machine_info):  # noqa: ARG001
    machine_info.pop("node", None)
