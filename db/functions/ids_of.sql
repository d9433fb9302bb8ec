-- The ids in a list of rows.
create function ids_of(rows jsonb, field text default 'id') returns uuid[]
language sql stable
return array(select (value ->> field)::uuid from jsonb_array_elements(rows));
