using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace CdnEdge.Control;

/// <summary>The API's own description: an OpenAPI document and a page to browse it.</summary>
internal static class AdminDocument
{
    // The page brings its own assets; what it is told not to load, the browser doesn't load either.
    private const string OnlyFromHere =
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

    private const string Scheme = "token";

    internal static void Configure(OpenApiOptions options) => options.AddDocumentTransformer(static (document, _, _) =>
    {
        document.Info = new OpenApiInfo
        {
            Title = "CdnEdge admin API",
            Version = "1",
            Description = "Purge, look at and operate this node. Errors are problem details (RFC 9457).",
        };
        document.Servers?.Clear(); // wherever it was loaded from
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
        document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A token of cdnedge token new. None is needed on the node itself while none is configured.",
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
        return Task.CompletedTask;
    });

    internal static void MapPage(IEndpointRouteBuilder endpoints) => endpoints.MapScalarApiReference("/docs", static scalar =>
        {
            scalar.Title = "CdnEdge admin API";
            scalar.DefaultFonts = false;
            scalar.Telemetry = false;
            scalar.OpenApiRoutePattern = "/openapi/{documentName}.json";
        })
        .AddEndpointFilter(static (call, next) =>
        {
            call.HttpContext.Response.Headers.ContentSecurityPolicy = OnlyFromHere;
            return next(call);
        });

    /// <summary>Says which problem details an endpoint may answer with.</summary>
    internal static RouteHandlerBuilder WithProblems(this RouteHandlerBuilder endpoint, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
            endpoint.Produces<AdminProblem>(status, "application/problem+json");
        return endpoint;
    }
}
