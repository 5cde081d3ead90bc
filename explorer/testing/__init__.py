"""The laws that priors, models, data and properties of designs keep, for whoever plugs one in.

    from explorer.testing import check_prior

    check_prior(LaplaceConfig())

A check runs every law of its kind and ends, where one is broken, in an AssertionError whose
message says which and by how much. The laws themselves, each a function named by what it claims,
are in the modules of this package; none of them needs pytest.
"""

from explorer.testing.checks import check_data, check_model, check_prior, check_properties

__all__ = ["check_data", "check_model", "check_prior", "check_properties"]
