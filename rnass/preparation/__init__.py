"""Preparation of training data: curation, covariance models, leakage."""
