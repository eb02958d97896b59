"""Video for seqdis: datasets, presets, U-Net backbones, mp4/gif/webm/image folders."""
