"""What is trained: the networks that come with the package, and a user's own."""

from automl.networks.definition import Network, catalogue, load_network

__all__ = ["Network", "catalogue", "load_network"]
