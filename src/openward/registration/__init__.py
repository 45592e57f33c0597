"""The front desk: finding and registering patients, their details, who pays, the invitation to the portal."""
