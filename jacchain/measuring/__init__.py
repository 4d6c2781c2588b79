"""Measure callables on this machine: time, memory, threads, caches, environment."""
