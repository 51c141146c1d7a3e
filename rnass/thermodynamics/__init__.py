"""Nearest-neighbour energies: ViennaRNA's ensembles, parameter files, loop counts."""
