"""The catalogue of what there is: engines, presets, environments, people. Data only."""
