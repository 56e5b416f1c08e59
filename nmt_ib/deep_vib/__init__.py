"""Deep variational information bottleneck on images (Alemi et al. 2017)."""
