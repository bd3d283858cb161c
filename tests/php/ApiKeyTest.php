<?php

use Jeenergie\Daemon\Socket;

final class ApiKeyTest extends JeenergieTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->loadInstall();
    }

    /** @return array{string, mixed, mixed} key, mode, and whether it is for events only */
    private function access(): array
    {
        return [
            (string) config::byKey('api', 'jeenergie'),
            config::byKey('api::jeenergie::mode', 'core', 'enable'),
            config::byKey('api::jeenergie::restricted', 'core', false),
        ];
    }

    public function testAnActivePluginsKeyIsForEventsOfThisMachineOnly(): void
    {
        Memory::$config = [];
        jeenergie_install();
        [$key, $mode, $isRestricted] = $this->access();
        $this->assertSame([64, 'localhost', 1], [strlen($key), $mode, $isRestricted]);
    }

    /** @dataProvider uses */
    public function testADeactivatedPluginsKeyOpensNothing(bool $isUsed): void
    {
        jeenergie_install();
        $isUsed && $this->connection();
        jeenergie_remove();
        $this->assertSame(['', 'disable', 1], $this->access());
    }

    public static function uses(): array
    {
        return ['with connections' => [true], 'without any' => [false]];
    }

    public function testNothingOfThePluginOpensAKeyThatIsSwitchedOff(): void
    {
        jeenergie_install();
        $this->startDaemon('echo');
        jeenergie_remove();
        $this->assertSame('', Socket::request('refresh')['apikey']);
        $this->assertSame(['', 'disable', 1], $this->access());
    }

    public function testActivatedAgainItHasAnotherKeyWithTheSameLimits(): void
    {
        jeenergie_install();
        [$former] = $this->access();
        jeenergie_remove();
        jeenergie_install();
        [$key, $mode, $isRestricted] = $this->access();
        $this->assertNotSame($former, $key);
        $this->assertSame([64, 'localhost', 1], [strlen($key), $mode, $isRestricted]);
    }
}
