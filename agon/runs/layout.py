"""Names of the files and folders of a run; no other module spells them out."""

EXPERIMENT = "experiment.json"  # the complete description of the training; a run exists if this file does
ARITHMETIC = "arithmetic.json"  # settings that change the arithmetic, and versions
LOG = "log.jsonl"  # a record each interval
EVENTS = "tensorboard"  # the same numbers as TensorBoard events
SCORES = "metrics.jsonl"  # a record each score
ATTACHMENTS = "metrics"  # pictures and arrays of scores
SAMPLES = "samples"  # snapshots: real samples, and those of the same latents over time
CHECKPOINTS = "checkpoints"
REPORT = "report.html"
REPLICATES = "replicates.json"  # in a directory of replicates, which holds a run for each seed
RUN_LOCK, SCORES_LOCK = "run.lock", "metrics.lock"  # held by the process that trains or scores

LEFTOVERS = frozenset({SAMPLES, CHECKPOINTS, ARITHMETIC, RUN_LOCK, SCORES_LOCK})  # of a run killed before it existed
