"""Results as PNG files: the only place that knows matplotlib and seaborn."""
