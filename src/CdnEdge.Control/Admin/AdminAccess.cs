using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Control;

/// <summary>What an endpoint of the API takes; one without it is open to whoever can connect (health, documentation).</summary>
internal sealed record RequiresScope(AdminScope Scope);

/// <summary>Finds out who calls. Who may do what is decided afterwards (<see cref="AdminAuthorization"/>), behind the rate limit.</summary>
internal sealed class AdminAuthentication(RequestDelegate next, AdminInForce admin)
{
    public Task InvokeAsync(HttpContext context)
    {
        var caller = admin.Callers is { IsOpen: true } ? LocalCaller(context)
            : BearerOf(context.Request.Headers.Authorization) is { } token ? admin.Callers.Find(token)
            : context.Connection.ClientCertificate is { } certificate ? admin.Callers.Find(certificate)
            : null;
        if (caller is not null)
            context.Features.Set(caller);
        return next(context);
    }

    // The listener is on loopback then; asked of each connection all the same, for the last token may go by a reload. A browser on
    // this machine is no operator: a page from elsewhere could make it call (by a form, or by a name that resolves to 127.0.0.1).
    private static AdminCaller? LocalCaller(HttpContext context)
    {
        var connection = context.Connection;
        var request = context.Request;
        var isLocal = connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
            && connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local)
            && (request.Host.Host == "localhost" || (IPAddress.TryParse(request.Host.Host.Trim('[', ']'), out var named) && IPAddress.IsLoopback(named)))
            && (request.Headers.Origin is not [{ } origin] || origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));
        return isLocal ? AdminCaller.Local : null;
    }

    internal static string? BearerOf(StringValues authorization)
    {
        const string scheme = "Bearer ";
        return authorization is [{ } line] && line.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && line[scheme.Length..].Trim() is var token && AdminToken.IsPlausible(token)
            ? token
            : null;
    }
}

/// <summary>401 without a token or certificate that is known, 403 without the scope.</summary>
internal sealed class AdminAuthorization(RequestDelegate next, AdminInForce admin)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiresScope>() is not { Scope: var scope })
            return next(context);

        var word = scope.ToString().ToLowerInvariant();
        var caller = AdminCaller.Of(context);
        if (caller is null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"cdnedge admin\"";
            return AdminProblem.Of(
                StatusCodes.Status401Unauthorized,
                admin.Callers.IsOpen
                    ? "Neither token nor certificate is configured, so only this machine may call, by a loopback address and from no other site's page."
                    : "A token that this node knows is needed (Authorization: Bearer TOKEN), or a certificate of such a name.").WriteAsync(context);
        }

        if (caller.Scopes.Contains(scope))
            return next(context);
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"cdnedge admin\", error=\"insufficient_scope\", scope=\"{word}\"";
        return AdminProblem.Of(StatusCodes.Status403Forbidden, $"'{caller.Name}' lacks the scope {word}.").WriteAsync(context);
    }
}
