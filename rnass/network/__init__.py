"""The contact network: pair features, contact head, contact model, its weights file and device."""
