"""The backbone: an RNA language model that gives embeddings and attention maps."""
