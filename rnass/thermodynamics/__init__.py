"""Nearest-neighbour energies: the only importer of ViennaRNA's module RNA.

conditions          temperature and salt concentration
parameter_sets      names, files, verification and loading of energy parameters
ensemble            one RNA or two strands: MFE, base-pair probabilities, MEA, centroid
base_pairs          base-pair probabilities, sparse
second_fold         base-pair probabilities beside the first structure
folding, workers    what a prediction needs of each RNA, in worker processes
probability_cache   base-pair probabilities kept on disk, for training
free_energy         the energy of a given structure
layout              coordinates of a plane drawing
sampling, energies, loops, parameters   for fitting energies
"""
