using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Refuses a Host that ASP.NET Core can't read: it decodes punycode whenever it's asked for <see cref="HttpRequest.Host"/>, and
/// throws where <c>xn--</c> begins none. Everything asks, routing first, so this stands before all of the application: a stranger's
/// Host is a bad request and no fault of this node, which would go to the log as an error each time.
/// </summary>
internal sealed class HostGuard : IStartupFilter
{
    private static readonly GuardRefusal Refusal = new(StatusCodes.Status400BadRequest, "The request's Host is none.", CloseConnection: true);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        var guard = app.ApplicationServices.GetRequiredService<RequestGuard>();
        app.Use(then => context => IsReadable(context.Request) ? then(context) : guard.AnswerAsync(context, Refusal));
        next(app);
    };

    internal static bool IsReadable(HttpRequest request)
    {
        try
        {
            _ = request.Host;
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
