"""The engines that think and see, the weights they run on, and the registry of presets."""
