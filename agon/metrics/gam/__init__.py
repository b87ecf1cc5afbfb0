"""The generative adversarial metric (GAM): two games exchange their opponents."""
