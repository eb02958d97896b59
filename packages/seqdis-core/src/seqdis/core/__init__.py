"""Sequential disentanglement: factors, diffusion, training and the seqdis command."""
