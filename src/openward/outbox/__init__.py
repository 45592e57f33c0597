"""Messages that must leave: written in the transaction of what they tell, sent afterwards by a job."""
