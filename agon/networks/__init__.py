"""All networks; each is an ordinary `nn.Module`.

A generator has a `latent_shape` and maps latents "n *latent_shape" to samples "n *shape". A critic maps
samples to unbounded logits "n"; a higher logit means more real. Networks that take labels are in `conditional`.
"""

from agon.networks import (
    argan,
    autoencoder,
    classifier,
    cnn,
    columns,
    conditional,
    dcgan,
    draw,
    gran,
    mlp,
    residual_mlp,
    resnet,
    resnext,
    vae,
)

NETWORKS = {
    "mlp.generator": mlp.Generator,
    "mlp.critic": mlp.Critic,
    "dcgan.generator": dcgan.Generator,
    "dcgan.critic": dcgan.Critic,
    "cnn.generator": cnn.Generator,
    "cnn.critic": cnn.Critic,
    "resnet.generator": resnet.Generator,
    "resnet.critic": resnet.Critic,
    "residual-mlp.generator": residual_mlp.Generator,
    "residual-mlp.critic": residual_mlp.Critic,
    "classifier": classifier.Classifier,
    "residual-classifier": classifier.ResidualClassifier,
    "columns.generator": columns.Generator,
    "vae": vae.Vae,
    "draw": draw.Draw,
    "gran.generator": gran.Generator,
    "cnn.encoder": cnn.Encoder,
    "argan.autoregressor": argan.Autoregressor,
    "argan.patch": argan.Patch,
    "autoencoder.critic": autoencoder.Critic,
    "autoencoder.mirror": autoencoder.Mirror,
    "autoencoder.encoder": autoencoder.Encoder,
    "autoencoder.decoder": autoencoder.Decoder,
    "resnext.generator": resnext.Generator,
    "resnext.critic": resnext.Critic,
    "class-normalised": conditional.NormalisedGenerator,
    "class-concatenated": conditional.ConcatenatedGenerator,
    "projection": conditional.ProjectionCritic,
}
