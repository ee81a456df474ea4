"""What a token buys against a dimension and a parameter: the paper's comparison, on one picture."""
