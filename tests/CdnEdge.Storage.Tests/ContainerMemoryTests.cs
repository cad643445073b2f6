namespace CdnEdge.Storage.Tests;

public sealed class ContainerMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cdnedge-cgroup").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void The_tightest_of_the_groups_around_counts_in_version_2()
    {
        Given("proc/self/cgroup", "0::/pod/web\n");
        Given("sys/fs/cgroup/pod/memory.max", "268435456\n");
        Given("sys/fs/cgroup/pod/web/memory.max", "1073741824\n");
        Assert.Equal(268435456, ContainerMemory.Limit(_root));
    }

    [Fact]
    public void A_container_sees_its_own_group_at_the_root()
    {
        Given("proc/self/cgroup", "0::/\n");
        Given("sys/fs/cgroup/memory.max", "536870912\n");
        Assert.Equal(536870912, ContainerMemory.Limit(_root));
    }

    [Fact]
    public void Version_1_has_a_controller_of_its_own()
    {
        Given("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n0::/\n");
        Given("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "104857600\n");
        Given("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        Assert.Equal(104857600, ContainerMemory.Limit(_root));
    }

    [Theory]
    [InlineData("max\n")]
    [InlineData("9223372036854771712\n")]
    public void No_limit_is_none(string text)
    {
        Given("proc/self/cgroup", "0::/\n");
        Given("sys/fs/cgroup/memory.max", text);
        Assert.Null(ContainerMemory.Limit(_root));
    }

    [Fact]
    public void No_control_groups_no_limit() => Assert.Null(ContainerMemory.Limit(_root));

    [Theory]
    [InlineData(768, 1024L, false, 1024)] // .NET's three quarters of the container's limit
    [InlineData(24_000, null, false, 24_000)] // no container
    [InlineData(200, 1024L, false, 200)] // something tighter than the container
    [InlineData(700, 1024L, true, 700)] // the operator's own limit
    [InlineData(2048, 4096L, true, 2048)]
    public void What_the_process_may_use(long runtime, long? container, bool isLimitSet, long expected) =>
        Assert.Equal(expected, MemoryLimit.Of(runtime, container, isLimitSet));

    private void Given(string path, string content)
    {
        var file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }
}
