<?php

use Jeenergie\Pages\Diagnostics;

final class DiagnosticsTest extends JeenergieTestCase
{
    public function testWithoutADaemonTheFileTellsWhatJeedomKnowsAndNothingOfAnybody(): void
    {
        $connection = $this->connection();
        $connection->setName('Chez Camille Martin');
        $connection->setConfiguration('config', ['host' => '192.168.7.31', 'user' => 'camille@example.org']);
        $connection->setConfiguration('secrets', ['password' => 'correct-horse-battery']);
        $connection->store();
        $equipment = $this->equipment($connection);
        $equipment->setName('Garage de Léa');
        $equipment->setConfiguration('key', 'EH00770077');
        $equipment->store();
        $this->assertSame('Garage de Léa', jeenergie::byId($equipment->getId())->getName());
        $file = Diagnostics::file();
        $this->assertMatchesRegularExpression('/^jeenergie-diagnostic-[0-9-]+\.json$/', $file['name']);
        $told = json_decode($file['text'], true, 512, JSON_THROW_ON_ERROR);
        $this->assertSame([], $told['daemon']['connections']);
        $this->assertNotSame('', $told['daemon']['silent']);
        $this->assertSame(PHP_VERSION, $told['jeedom']['php']);
        $this->assertMatchesRegularExpression('/^[0-9]+\.[0-9]+\.[0-9]+$/', $told['jeedom']['plugin']);
        $kinds = array_column($told['jeedom']['eqLogics'], 'kind');
        $this->assertSame(['connection', 'equipment'], $kinds);
        foreach (['Camille', 'Martin', 'Léa', '192.168', 'example.org', 'correct-horse', 'EH0077'] as $hidden) {
            $this->assertStringNotContainsString($hidden, $file['text']);
        }
    }
}
