-- Events that wait for a person are counted for every scrape, however many others there are.
CREATE INDEX mirrors_in_attention ON mirrors (updated_at) WHERE active AND state = 'needs_attention';
