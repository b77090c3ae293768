namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>Why a JSON web token is not accepted. Append only; each is a code of the answer.</summary>
internal enum JwtProblem
{
    /// <summary>Not three parts of strict base64url with JSON objects in the first two.</summary>
    Malformed = 1,

    /// <summary>A header parameter that the format does not have, such as <c>jku</c> or <c>jwk</c>.</summary>
    HeaderRefused = 2,

    /// <summary><c>typ</c> and <c>kid</c> are those of neither format.</summary>
    TypeUnknown = 3,

    /// <summary>Not the one algorithm of its format; <c>none</c> is one of them.</summary>
    AlgorithmRefused = 4,

    /// <summary><c>kid</c> names no key in force.</summary>
    KeyUnknown = 5,

    /// <summary>The signature is not ours.</summary>
    SignatureInvalid = 6,

    /// <summary>Signed by us, but a claim is missing or of another type.</summary>
    ClaimsInvalid = 7,

    /// <summary>Of another issuer.</summary>
    IssuerRefused = 8,

    /// <summary>For somebody else.</summary>
    AudienceRefused = 9,

    /// <summary>Its time is over.</summary>
    Expired = 10,

    /// <summary>Its time has not begun.</summary>
    NotYetValid = 11,

    /// <summary>It lives longer than a token of its format may.</summary>
    LifetimeRefused = 12,

    /// <summary>Its session was ended, or there is none.</summary>
    SessionEnded = 13,

    /// <summary>The person has another role now, or does not exist.</summary>
    PersonChanged = 14,

    /// <summary>Legacy tokens are switched off here, or past their sunset.</summary>
    LegacyDisabled = 15,

    /// <summary>An ID token that was made for another sign-in.</summary>
    NonceRefused = 16,

    /// <summary>An ID token whose issuer has not verified the address in it.</summary>
    AddressUnverified = 17,
}

/// <summary>The problems in the words of the interface.</summary>
internal static class JwtProblems
{
    /// <summary>Code of the answer, and what happened, safe to show.</summary>
    public static (string Code, string Detail) Describe(this JwtProblem problem) => problem switch
    {
        JwtProblem.Malformed => ("TOKEN_MALFORMED", "The token is not a signed JSON web token."),
        JwtProblem.HeaderRefused =>
            ("TOKEN_HEADER_REFUSED", "The token's header has a parameter that is not accepted."),
        JwtProblem.TypeUnknown => ("TOKEN_TYPE_UNKNOWN", "The token's typ and kid are of no known format."),
        JwtProblem.AlgorithmRefused =>
            ("TOKEN_ALGORITHM_REFUSED", "The token is not signed with the algorithm of its format."),
        JwtProblem.KeyUnknown => ("TOKEN_KEY_UNKNOWN", "The token's kid names no key in force."),
        JwtProblem.SignatureInvalid => ("TOKEN_SIGNATURE_INVALID", "The token's signature is wrong."),
        JwtProblem.ClaimsInvalid =>
            ("TOKEN_CLAIMS_INVALID", "A claim of the token is missing or of the wrong type."),
        JwtProblem.IssuerRefused => ("TOKEN_ISSUER_REFUSED", "The token is of another issuer."),
        JwtProblem.AudienceRefused => ("TOKEN_AUDIENCE_REFUSED", "The token is for another audience."),
        JwtProblem.Expired => ("TOKEN_EXPIRED", "The token has expired."),
        JwtProblem.NotYetValid => ("TOKEN_NOT_YET_VALID", "The token is not valid yet."),
        JwtProblem.LifetimeRefused =>
            ("TOKEN_LIFETIME_REFUSED", "The token lives longer than its format allows."),
        JwtProblem.SessionEnded => ("TOKEN_REVOKED", "The token's session was ended."),
        JwtProblem.PersonChanged =>
            ("TOKEN_PERSON_CHANGED", "The token's person or role is not as it was; sign in again."),
        JwtProblem.LegacyDisabled =>
            ("LEGACY_TOKEN_DISABLED", "Tokens of the legacy format are no longer accepted here."),
        JwtProblem.NonceRefused => ("TOKEN_NONCE_REFUSED", "The token was made for another sign-in."),
        JwtProblem.AddressUnverified =>
            ("TOKEN_ADDRESS_UNVERIFIED", "The address in the token is not verified."),
    };
}
