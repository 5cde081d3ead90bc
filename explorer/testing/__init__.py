"""The laws of priors, models, data sets and properties of designs, to test a plug-in against.

    from explorer.testing import check_prior

    check_prior(LaplaceConfig())

A check runs every law and raises an AssertionError at the first that does not hold; its message
says which, and by how much. Each law is also a function in one of this package's modules, named
after what it claims. None of them needs pytest.
"""

from explorer.testing.checks import check_data, check_model, check_prior, check_properties

__all__ = ["check_data", "check_model", "check_prior", "check_properties"]
