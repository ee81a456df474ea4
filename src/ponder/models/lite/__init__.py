"""The `lite` engines: small open weights that run on two cores without a model hub."""
