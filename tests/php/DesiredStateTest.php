<?php

use Jeenergie\Daemon\DesiredState;
use Jeenergie\Daemon\Socket;

final class DesiredStateTest extends JeenergieTestCase
{
    private function state(): array
    {
        return json_decode(Socket::encode(DesiredState::build()), true);
    }

    public function testItHoldsAllThatShouldRunWithReadableSecretsAndDefaults(): void
    {
        $connection = $this->connection(['port' => '8080']);
        $this->equipment($connection, 'SN1');
        $state = $this->state();
        $this->assertSame([
            'timezone' => 'Europe/Paris',
            'language' => 'fr_FR',
            'callback' => ['http://127.0.0.1:80/core/api/jeeApi.php'],
        ], $state['settings']);
        $this->assertSame(
            ['host' => 'h', 'port' => 8080, 'mode' => 'one', 'password' => 'p4ss', 'open' => false],
            $state['connections'][0]['config']
        );
        $equipment = $state['connections'][0]['equipment'][0];
        $this->assertSame(['2', 'meter', 'SN1'], [$equipment['id'], $equipment['type'], $equipment['key']]);
        $this->assertEqualsCanonicalizing(['refresh', 'power', 'valve', 'open'], array_keys($equipment['commands']));
    }

    public function testWhatIsEmptyIsAnObject(): void
    {
        $this->equipment($this->connection(['mode' => 'one']), '1', 'lonely');
        $text = Socket::encode(DesiredState::build());
        $this->assertStringContainsString('"config":{},"commands":{"power":{},"refresh":{}}', $text);
    }

    public function testWhatIsDisabledIsNotThere(): void
    {
        $connection = $this->connection();
        $meter = $this->equipment($connection, '1');
        $this->equipment($connection, '2');
        $meter->setIsEnable(0)->save();
        $this->assertCount(1, $this->state()['connections'][0]['equipment']);
        $connection->setIsEnable(0)->save();
        $this->assertSame([], $this->state()['connections']);
    }

    public function testTheSettingsOfACommandAreTyped(): void
    {
        $meter = $this->equipment($this->connection());
        $this->cmd($meter, 'power')->setConfiguration('settings', ['cadence' => '2,5', 'stray' => 'x'])->save();
        $this->cmd($meter, 'valve')->setConfiguration('settings', ['cadence' => ''])->save();
        $commands = $this->state()['connections'][0]['equipment'][0]['commands'];
        $this->assertSame(['cadence' => 2.5], $commands['power']);
        $this->assertSame([], $commands['valve']);
    }

    public function testACadenceThatCannotBeIsRefusedInWords(): void
    {
        $power = $this->cmd($this->equipment($this->connection()), 'power');
        $this->expectExceptionMessage('Power : « Intervalle minimal entre deux valeurs » doit être un nombre.');
        $power->setConfiguration('settings', ['cadence' => '1e999'])->save();
    }

    public function testOneStoredBeforeThereWasACheckDoesNotKeepTheOthersFromBeingConfigured(): void
    {
        $meter = $this->equipment($this->connection());
        $this->cmd($meter, 'power')->setConfiguration('settings', ['cadence' => '1e999'])->store();
        $this->cmd($meter, 'valve')->setConfiguration('settings', ['cadence' => '7'])->store();
        $commands = $this->state()['connections'][0]['equipment'][0]['commands'];
        $this->assertSame([[], ['cadence' => 7]], [$commands['power'], $commands['valve']]);
    }

    public function testWhatCannotBeWrittenIsSaidSo(): void
    {
        $this->expectExceptionMessage('un nombre y est infini');
        Socket::encode(['options' => ['level' => INF]]);
    }
}
