"""The design system: tokens, components, layout, pages, navigation. Rooms build their screens from this and nothing else."""
