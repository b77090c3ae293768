using CalSync.App.Api.Bodies;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api.Preconditions;

/// <summary>If-Match as a handler's parameter. Handlers only run when there was one.</summary>
internal sealed class Precondition : IRefusable
{
    private readonly IfMatch _given;

    private Precondition(IfMatch given) => _given = given;

    /// <summary>
    /// The version the change was decided on; one that no row has when the tag is not ours.
    /// </summary>
    public long Version => ((IfMatch.Version)_given).Value;

    /// <inheritdoc/>
    public Problem? Problem => (_given as IfMatch.Refused)?.Problem;

    /// <summary>Binds a handler's parameter.</summary>
    public static ValueTask<Precondition> BindAsync(HttpContext context) =>
        ValueTask.FromResult(new Precondition(EntityTag.Read(context.Request)));
}
