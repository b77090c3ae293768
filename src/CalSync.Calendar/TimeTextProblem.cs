namespace CalSync.Calendar;

/// <summary>Why a text is not the time it should be.</summary>
/// <param name="Offset">
/// Characters before the first one that is wrong; the length when the text ends too early.
/// </param>
/// <param name="Expected">What should stand there, for a person.</param>
public sealed record TimeTextProblem(int Offset, string Expected);
