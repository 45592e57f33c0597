"""The pages of the chart: who may open them, what they ask, what they show."""
