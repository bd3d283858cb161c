<?php

use Jeenergie\Daemon\Callback;

/** A system that has moved: its connection's address follows, and nothing else can be changed that way. */
final class MovedTest extends JeenergieTestCase
{
    private $house;

    protected function setUp(): void
    {
        parent::setUp();
        $this->canBeFound(['mdns' => '_lab._tcp.local.', 'serial' => 'sn', 'fills' => 'host']);
        $this->house = $this->connection(['host' => '192.168.1.40', 'port' => 81]);
        Memory::$messages = [];
    }

    private function canBeFound(array $way): void
    {
        $catalogue = json_decode(file_get_contents(__DIR__ . '/catalogue.json'), true);
        $catalogue['connection']['nearby'] = $way;
        $this->useCatalogue($catalogue);
    }

    private function moved(array $event): array
    {
        $event += ['event' => 'moved', 'connection' => (string) $this->house->getId(), 'from' => '192.168.1.40'];
        return (new Callback())->apply([$event]);
    }

    private function config(): array
    {
        return jeenergie::byId($this->house->getId())->getConfiguration('config');
    }

    public function testTheAddressFollowsAndTheUserReadsItOnce(): void
    {
        $this->assertArrayNotHasKey('rejected', $this->moved(['address' => '192.168.1.41']));
        $this->assertEquals(['host' => '192.168.1.41', 'port' => 81], $this->config());
        $this->assertSame('p4ss', jeenergie::byId($this->house->getId())->secrets()['password']);
        $this->assertCount(1, Memory::$messages);
        $this->assertStringContainsString('192.168.1.41', json_encode(Memory::$messages, JSON_UNESCAPED_UNICODE));
        // The same once more, late: the address is another one by now.
        $this->assertCount(1, $this->moved(['address' => '192.168.1.42'])['rejected']);
        $this->assertSame('192.168.1.41', $this->config()['host']);
        $this->assertCount(1, Memory::$messages);
    }

    /** @dataProvider wrong */
    public function testWhatIsNoAddressIsRefused(string $address): void
    {
        $this->assertCount(1, $this->moved(['address' => $address])['rejected']);
        $this->assertSame('192.168.1.40', $this->config()['host']);
        $this->assertSame([], Memory::$messages);
    }

    public static function wrong(): array
    {
        return [[''], ['evil.example'], ['192.168.1.300'], ['::1'], ['192.168.1.4/24'], ['http://192.168.1.41']];
    }

    public function testAnEquipmentAndASystemWithoutSerialNumberDoNotMove(): void
    {
        $meter = $this->equipment($this->house);
        $answer = $this->moved(['connection' => (string) $meter->getId(), 'address' => '192.168.1.41']);
        $this->assertCount(1, $answer['rejected']);
        $this->canBeFound(['realm' => 'box', 'path' => '/', 'port' => 80, 'fills' => 'host']);
        $this->assertCount(1, $this->moved(['address' => '192.168.1.41'])['rejected']);
        $this->assertSame('192.168.1.40', $this->config()['host']);
    }

    public function testAConnectionThatIsGoneIsReportedAsUnknown(): void
    {
        $this->assertSame(['999'], $this->moved(['connection' => '999', 'address' => '192.168.1.41'])['unknown']);
    }
}
