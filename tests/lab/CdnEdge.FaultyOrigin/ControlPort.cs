using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CdnEdge.FaultyOrigin;

/// <summary>Where the origin is told what to suffer from, and tells what reached it.</summary>
internal static class ControlPort
{
    /// <summary>As the bodies of both directions are written.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <param name="traffic">What is controlled.</param>
    /// <param name="port">0: a free one.</param>
    internal static async Task<WebApplication> StartAsync(TrafficPort traffic, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.MapGet("/control/stats", context => context.Response.WriteAsJsonAsync(
            traffic.Tally.Read(paths: context.Request.Query["paths"] != "none"), Json, context.RequestAborted));
        app.MapPost("/control/stats/max", context =>
        {
            var stats = traffic.Tally.Read(paths: false);
            traffic.Tally.ResetMax();
            return context.Response.WriteAsJsonAsync(stats, Json, context.RequestAborted);
        });
        app.MapPost("/control/fault", async context =>
        {
            Fault? fault;
            string? mistake;
            try
            {
                fault = await JsonSerializer.DeserializeAsync<Fault>(context.Request.Body, Json, context.RequestAborted);
                mistake = fault is null ? "A fault is an object." : fault.Mistake();
            }
            catch (JsonException exception)
            {
                (fault, mistake) = (null, exception.Message);
            }

            if (mistake is not null)
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                await context.Response.WriteAsync(mistake, context.RequestAborted);
                return;
            }

            traffic.Apply(fault!);
            await context.Response.WriteAsJsonAsync(fault, Json, context.RequestAborted);
        });
        app.MapPost("/control/heal", context =>
        {
            traffic.Apply(Fault.None);
            return context.Response.WriteAsJsonAsync(Fault.None, Json, context.RequestAborted);
        });
        await app.StartAsync();
        return app;
    }
}
