-- What people say of themselves, beside their account. The version of the user is the version of both.

-- The address invitations go to is proved when it is the account's, or since this moment.
ALTER TABLE users ADD COLUMN calendar_email_verified_at {instant};

CREATE TABLE profiles (
    user_id                           text PRIMARY KEY,
    tenant_id                         text NOT NULL,
    work_email                        text
        CONSTRAINT profiles_work_email_form
        CHECK (work_email = lower(work_email) AND length(work_email) BETWEEN 3 AND 254),
    -- Numbers are E.164; what was typed stands beside them.
    phone                             text
        CONSTRAINT profiles_phone_form CHECK (phone LIKE '+%' AND length(phone) BETWEEN 6 AND 16),
    phone_original                    text,
    phone_region                      text,
    emergency_contact_name            text,
    emergency_contact_email           text
        CONSTRAINT profiles_emergency_contact_email_form
        CHECK (emergency_contact_email = lower(emergency_contact_email)
            AND length(emergency_contact_email) BETWEEN 3 AND 254),
    emergency_contact_phone           text
        CONSTRAINT profiles_emergency_contact_phone_form
        CHECK (emergency_contact_phone LIKE '+%' AND length(emergency_contact_phone) BETWEEN 6 AND 16),
    emergency_contact_phone_original  text,
    emergency_contact_phone_region    text,
    date_of_birth                     text
        CONSTRAINT profiles_date_of_birth_form CHECK (length(date_of_birth) = 10),
    website                           text
        CONSTRAINT profiles_website_form CHECK (website LIKE 'https://%'),
    linkedin                          text
        CONSTRAINT profiles_linkedin_form CHECK (linkedin LIKE 'https://%'),
    twitter                           text
        CONSTRAINT profiles_twitter_form CHECK (twitter LIKE 'https://%'),
    github                            text
        CONSTRAINT profiles_github_form CHECK (github LIKE 'https://%'),
    updated_at                        {instant} NOT NULL,
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id),
    UNIQUE (work_email, tenant_id)
);
