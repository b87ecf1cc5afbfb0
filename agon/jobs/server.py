"""Imported by the process that workers are forked from, and by no other: what every worker needs, once for all."""

import importlib
import signal

# A signal to the group of processes reaches every one; only the main process handles it, and ends this one.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
for name in ("torch._dynamo", "agon.training.replicates"):  # the first optimiser imports torch._dynamo
    importlib.import_module(name)
