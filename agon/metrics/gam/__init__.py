"""The generative adversarial metric: two games exchange their opponents."""
