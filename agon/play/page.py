"""The page itself: Gradio's tabs around the functions of this room. It listens on this computer alone."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from agon.errors import require
from agon.figures.pictures import pictured
from agon.latents import Normal
from agon.models import Model
from agon.play.directions import directions_of
from agon.play.drawing import STEPS, drawn, moved, walked
from agon.play.guessing import Tally, play_round, real_of
from agon.play.nearest import nearest
from agon.play.pictures import check_shown, picture
from agon.play.ports import HOST

BUTTONS = ["download", "fullscreen"]  # no button that shares on a site
FONTS = ["system-ui", "sans-serif"]
MOST, PATHS, MOVED, SLIDERS, REACH = 256, 8, 16, 6, 3.0


def page(models: Mapping[str, Model]) -> Any:
    """Make the page, a `gradio.Blocks`: a tab for each run, and in it a tab for each thing to do.

    Args:
        models: label -> loaded run.

    Raises:
        NotInstalledError: Gradio is not installed.
        SettingError: a run's samples cannot be shown.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before the import, which reads it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    require("gradio")
    for model in models.values():
        check_shown(model)
    import gradio as gr

    with gr.Blocks(title="agon", analytics_enabled=False) as blocks:
        for name, model in models.items():
            with gr.Tab(name):
                _tabs(gr, model)
    return blocks


def serve(models: Mapping[str, Model], port: int | None = None, *, browser: bool = True, wait: bool = True) -> Any:
    """Serve the page on 127.0.0.1 and return it; with `wait`, only after Ctrl-C.

    Args:
        models: label -> loaded run.
        port: port; by default the first free one from 7860.
        browser: whether to open the page in the user's browser.
        wait: whether to block.
    """
    blocks = page(models)
    import gradio as gr

    theme = gr.themes.Default(font=FONTS, font_mono=["monospace"])  # the system's fonts: none are fetched
    blocks.launch(
        server_name=HOST,
        server_port=port,
        share=False,
        inbrowser=browser,
        quiet=True,
        theme=theme,
        prevent_thread_lock=not wait,
        footer_links=[],
        enable_monitoring=False,
    )
    return blocks


def _tabs(gr: Any, model: Model) -> None:
    """The tabs of one run."""
    images = pictured(model.experiment.data.shape)
    classes = list(model.experiment.data.classes) if model.game.generated_classes else []
    with gr.Tab("Sample"):
        _sample_tab(gr, model, classes)
    with gr.Tab("Walk"):
        _walk_tab(gr, model, classes)
    with gr.Tab("Directions"):
        _directions_tab(gr, model)
    if images:
        with gr.Tab("Reconstruct"):
            _reconstruct_tab(gr, model)
        with gr.Tab("Real or generated?"):
            _game_tab(gr, model)


def _shown(gr: Any, draw: Any, inputs: list[Any]) -> None:
    """A picture that is drawn with the inputs' first values, and again whenever one changes."""
    first = draw(*(item.value for item in inputs))
    image = gr.Image(first, show_label=False, interactive=False, format="png", buttons=BUTTONS)
    for item in inputs:
        item.change(draw, inputs, image, show_progress="hidden", trigger_mode="always_last")


def _class(gr: Any, classes: list[str]) -> Any:
    return gr.Dropdown(["", *classes], value="", label="Class", visible=bool(classes))


def _sample_tab(gr: Any, model: Model, classes: list[str]) -> None:
    with gr.Row():
        n = gr.Slider(1, MOST, 64, step=1, label="Samples")
        seed = gr.Number(0, label="Seed", precision=0, minimum=0)
        label = _class(gr, classes)
        normal = isinstance(model.experiment.latent, Normal)
        tau = gr.Slider(0.1, 4, 4, step=0.1, label="Truncation (4: none)", visible=normal)

    def draw(n: int, seed: int, label: str, tau: float) -> Any:
        truncation = tau if normal and tau < 4 else None
        return picture(model, drawn(model, int(n), int(seed or 0), label, truncation))

    _shown(gr, draw, [n, seed, label, tau])


def _walk_tab(gr: Any, model: Model, classes: list[str]) -> None:
    paths = PATHS if pictured(model.experiment.data.shape) else MOST
    with gr.Row():
        position = gr.Slider(0, STEPS - 1, 0, step=1, label="Along the path from one latent to another")
        seed = gr.Number(0, label="Seed", precision=0, minimum=0)
        label = _class(gr, classes)

    def draw(position: int, seed: int, label: str) -> Any:
        return picture(model, walked(model, paths, int(position), int(seed or 0), label))

    _shown(gr, draw, [position, seed, label])


def _directions_tab(gr: Any, model: Model) -> None:
    found = directions_of(model, SLIDERS)
    n = MOVED if pictured(model.experiment.data.shape) else MOST
    gr.Markdown("Latents regressed on the principal components of 512 samples (GANSpace, Härkönen et al. 2020).")
    with gr.Row():
        seed = gr.Number(0, label="Seed", precision=0, minimum=0)
        sliders = [
            gr.Slider(-REACH, REACH, 0, step=0.1, label=f"Component {i}: {share:.0%} of the variance")
            for i, share in enumerate(found.shares.tolist(), 1)
        ]

    def draw(seed: int, *amounts: float) -> Any:
        return picture(model, moved(model, found.latents, amounts, n, int(seed or 0)))

    _shown(gr, draw, [seed, *sliders])


def _reconstruct_tab(gr: Any, model: Model) -> None:
    if model.game.generated_classes:
        gr.Markdown("Reconstruction is left out: this generator takes labels, and the search is over latents alone.")
        return
    image = gr.Image(label="Your image", image_mode="RGB", sources=["upload", "clipboard"])
    found = gr.Image(
        label="As the run sees it, and the nearest generated sample", interactive=False, format="png", buttons=BUTTONS
    )
    error = gr.Markdown()

    def search(image: Any) -> tuple[Any, str]:
        if image is None:
            return None, ""
        pair, mse = nearest(model, image)
        return picture(model, pair, 2), f"Mean squared error {mse:.4f}, in the data's range."

    image.change(search, image, [found, error])


def _game_tab(gr: Any, model: Model) -> None:
    real, why = real_of(model)
    if real is None:
        gr.Markdown(why)
        return
    gr.Markdown("One of the two comes from the data. Which? The critic answers too.")
    state = gr.State(Tally())
    first = picture(model, play_round(model, real, 0).pair, 2)
    pair = gr.Image(first, show_label=False, interactive=False, format="png", buttons=BUTTONS)
    with gr.Row():
        buttons = [gr.Button("The left one is real"), gr.Button("The right one is real")]
    told = gr.Markdown()

    def shown(number: int) -> Any:
        return picture(model, play_round(model, real, number).pair, 2)

    def answer(guess: int, tally: Tally) -> tuple[Tally, Any, str]:
        played = play_round(model, real, tally.played)
        after = tally.after(played, guess)
        side = ("left", "right")[played.real]
        return after, shown(after.played), f"The {side} one was real. {after}."

    for guess, button in enumerate(buttons):
        button.click(partial(answer, guess), state, [state, pair, told], show_progress="hidden")
