namespace CdnEdge.Storage.Tests;

public class MemoryLimitTests
{
    private const long MiB = 1024 * 1024;

    [Theory]
    [InlineData(1024, 256)]
    [InlineData(64, 16)]
    [InlineData(20, 16)]
    public void The_default_is_a_quarter_but_at_least_16_MiB(long availableMiB, long expectedMiB) =>
        Assert.Equal(expectedMiB * MiB, MemoryLimit.From(availableMiB * MiB));

    [Fact]
    public void The_default_of_this_process_is_of_what_it_may_use() =>
        Assert.InRange(MemoryLimit.Default, MemoryLimit.Least, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
}
