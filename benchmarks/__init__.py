"""How fast and how large agon's training is, as ratios to a hand-written loop.

python -m benchmarks [--quick]
"""
