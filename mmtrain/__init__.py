"""mmtrain: train one PyTorch model over any number of modalities and tasks, chosen in Hydra YAML."""

__version__ = "0.1.0"
