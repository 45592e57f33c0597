-- Which parameters a resource has a value for is alike in thousands of resources: there are some dozens of such sets in a type. This finds those of one
-- set, and which sets there are, so that `:missing` and `:not` look at no row that has the value.
create index current_by_kind on fhir.current (tenant, rtype, hash_array_extended(has, 0), rkey desc);

-- What the planner knows of it, it learns from here.
analyze fhir.current;
