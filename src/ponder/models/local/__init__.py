"""Chat models of transformers, run here: any language model, and any that also sees pictures."""
