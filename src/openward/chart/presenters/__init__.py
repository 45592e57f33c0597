"""Every string a person reads in the chart. No SQL, no request. Display rules: NHS Common User Interface design guides (LIBRARIES.md)."""
