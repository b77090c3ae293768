namespace CalSync.Classes;

/// <summary>Something the asker should know about a command that was done.</summary>
/// <param name="Code">One word, such as <c>looks_duplicate</c> or <c>calendar_pending</c>.</param>
/// <param name="Message">For a person.</param>
public sealed record CommandWarning(string Code, string Message);
