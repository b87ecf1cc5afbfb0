"""Imported by the process that workers are forked from, and by no other: what every worker needs, once for all."""

import importlib
import signal

# An interrupt from the terminal reaches every process of the group; only the main process handles it.
signal.signal(signal.SIGINT, signal.SIG_IGN)
for name in ("torch._dynamo", "agon.training.replicates"):  # the first optimiser imports torch._dynamo
    importlib.import_module(name)
