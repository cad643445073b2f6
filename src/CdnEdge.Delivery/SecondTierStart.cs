using CdnEdge.Storage;
using Microsoft.Extensions.Hosting;

namespace CdnEdge.Delivery;

/// <summary>Has the second tier begin with the application, not with its first request.</summary>
internal sealed class SecondTierStart(ISecondTier? tier) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => tier?.StartAsync(cancellationToken) ?? Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
