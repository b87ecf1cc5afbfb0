"""The unroll, and whole rounds, as few compiled programs: the same steps, several times faster.

`vjp` computes the unroll of the room above by vector-Jacobian products of its inner step; `program` compiles them
(`tracing`) from a game's tensors (`step_context`), recomputing or storing activations (`steps`), and checks the result.
`round` adds the players' moves, as a `round_plan` says, with the values of `round_state`; `round_program` compiles them
(`split_program`, by a `partition`) and binds them to the tensors of a `live_round`, which a `snapshot` watches;
`capture` replays what a bound round's programs call, and `rounds` checks it all. `dynamics` uses both.
"""

from agon.dynamics.unrolled.compiled.dynamics import CompiledUnrolled

__all__ = ["CompiledUnrolled"]
