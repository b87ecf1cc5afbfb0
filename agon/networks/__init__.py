"""Everything that holds weights. A network is an ordinary `nn.Module`.

A generator states `latent_shape` and maps latents "n *latent_shape" to samples "n *shape"; a critic
maps samples to unbounded logits "n", higher is more real.
"""

from agon.networks import cnn, dcgan, mlp

NETWORKS = {
    "mlp.generator": mlp.Generator,
    "mlp.critic": mlp.Critic,
    "dcgan.generator": dcgan.Generator,
    "dcgan.critic": dcgan.Critic,
    "cnn.generator": cnn.Generator,
    "cnn.critic": cnn.Critic,
}
